// Package autopilotserverrpc stands in for the package of that name, of which no version that litd compiles
// with can be verified: its types, and a client that refuses every call. litd runs with --autopilot.disable.
package autopilotserverrpc

import (
	"context"
	"errors"

	"google.golang.org/grpc"
)

var errDisabled = errors.New("built without the autopilot's client")

type (
	TermsRequest        struct{}
	ListFeaturesRequest struct{}

	Version struct{ Major, Minor, Patch uint32 }

	TermsResponse struct{ MinRequiredVersion *Version }

	Operation   struct{ Entity, Action string }
	Permissions struct {
		Method     string
		Operations []*Operation
	}
	Rule    struct{ Default, MinValue, MaxValue []byte }
	Feature struct {
		Name, Description string
		Rules             map[string]*Rule
		PermissionsList   []*Permissions
		DefaultConfig     []byte
		PrivacyFlags      uint64
	}
	ListFeaturesResponse struct{ Features map[string]*Feature }

	RegisterSessionRequest struct {
		ResponderPubKey        []byte
		MailboxAddr            string
		DevServer              bool
		FeatureConfigs         map[string][]byte
		LitVersion, LndVersion *Version
		GroupResponderKey      []byte
		GroupResponderSig      []byte
		PrivacyFlags           uint64
	}
	RegisterSessionResponse struct{ InitiatorPubKey []byte }

	ActivateSessionRequest  struct{ ResponderPubKey []byte }
	ActivateSessionResponse struct{}
	RevokeSessionRequest    struct{ ResponderPubKey []byte }
	RevokeSessionResponse   struct{}
)

// AutopilotClient has the calls that litd makes.
type AutopilotClient interface {
	Terms(context.Context, *TermsRequest, ...grpc.CallOption) (*TermsResponse, error)
	ListFeatures(context.Context, *ListFeaturesRequest, ...grpc.CallOption) (*ListFeaturesResponse, error)
	RegisterSession(context.Context, *RegisterSessionRequest, ...grpc.CallOption) (*RegisterSessionResponse, error)
	ActivateSession(context.Context, *ActivateSessionRequest, ...grpc.CallOption) (*ActivateSessionResponse, error)
	RevokeSession(context.Context, *RevokeSessionRequest, ...grpc.CallOption) (*RevokeSessionResponse, error)
}

type client struct{}

// NewAutopilotClient returns a client that refuses every call.
func NewAutopilotClient(grpc.ClientConnInterface) AutopilotClient { return client{} }

func (client) Terms(context.Context, *TermsRequest, ...grpc.CallOption) (*TermsResponse, error) {
	return nil, errDisabled
}

func (client) ListFeatures(context.Context, *ListFeaturesRequest, ...grpc.CallOption) (*ListFeaturesResponse, error) {
	return nil, errDisabled
}

func (client) RegisterSession(context.Context, *RegisterSessionRequest, ...grpc.CallOption) (*RegisterSessionResponse, error) {
	return nil, errDisabled
}

func (client) ActivateSession(context.Context, *ActivateSessionRequest, ...grpc.CallOption) (*ActivateSessionResponse, error) {
	return nil, errDisabled
}

func (client) RevokeSession(context.Context, *RevokeSessionRequest, ...grpc.CallOption) (*RevokeSessionResponse, error) {
	return nil, errDisabled
}
