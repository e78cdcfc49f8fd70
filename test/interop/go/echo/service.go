// Package echo is the small gRPC service that both ends of an interop run speak,
// `/pinhole.test.Echo`. Its messages are protobuf's own wrapper types, so that
// neither this side nor the TypeScript one needs generated code. ../../README.md
// describes the methods.
package echo

import (
	"context"
	"errors"
	"io"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// ServiceName is the path's first half.
const ServiceName = "pinhole.test.Echo"

// MaxTransferBytes bounds what Download gives.
const MaxTransferBytes = 1 << 30

// Server answers the calls. With a macaroon set, every call must carry it.
type Server struct {
	Macaroon string
}

// Register puts the service on a gRPC server.
func (s *Server) Register(server *grpc.Server) {
	server.RegisterService(&desc, s)
}

// Options returns the gRPC options that make every call show the macaroon.
func (s *Server) Options() []grpc.ServerOption {
	return []grpc.ServerOption{
		grpc.UnaryInterceptor(func(ctx context.Context, req any,
			_ *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {

			if err := s.authorize(ctx); err != nil {
				return nil, err
			}
			return next(ctx, req)
		}),
		grpc.StreamInterceptor(func(srv any, stream grpc.ServerStream,
			_ *grpc.StreamServerInfo, next grpc.StreamHandler) error {

			if err := s.authorize(stream.Context()); err != nil {
				return err
			}
			return next(srv, stream)
		}),
	}
}

func (s *Server) authorize(ctx context.Context) error {
	if s.Macaroon == "" {
		return nil
	}
	md, _ := metadata.FromIncomingContext(ctx)
	if got := md.Get("macaroon"); len(got) != 1 || got[0] != s.Macaroon {
		return status.Error(codes.Unauthenticated, "macaroon missing or wrong")
	}
	return nil
}

var desc = grpc.ServiceDesc{
	ServiceName: ServiceName,
	HandlerType: (*any)(nil),
	Methods: []grpc.MethodDesc{{
		MethodName: "Unary",
		Handler:    unary,
	}},
	Streams: []grpc.StreamDesc{
		{StreamName: "Stream", Handler: stream, ServerStreams: true},
		{StreamName: "Ticks", Handler: ticks, ServerStreams: true},
		{StreamName: "Upload", Handler: upload, ClientStreams: true},
		{StreamName: "Download", Handler: download, ServerStreams: true},
	},
}

func unary(srv any, ctx context.Context, decode func(any) error,
	intercept grpc.UnaryServerInterceptor) (any, error) {

	request := &wrapperspb.BytesValue{}
	if err := decode(request); err != nil {
		return nil, err
	}
	answer := func(_ context.Context, req any) (any, error) { return req, nil }
	if intercept == nil {
		return answer(ctx, request)
	}
	info := &grpc.UnaryServerInfo{
		Server: srv, FullMethod: "/" + ServiceName + "/Unary",
	}
	return intercept(ctx, request, info, answer)
}

func stream(_ any, call grpc.ServerStream) error {
	count := &wrapperspb.UInt32Value{}
	if err := call.RecvMsg(count); err != nil {
		return err
	}
	for i := uint32(0); i < count.Value; i++ {
		if err := call.SendMsg(wrapperspb.UInt32(i)); err != nil {
			return err
		}
	}
	return nil
}

func ticks(_ any, call grpc.ServerStream) error {
	interval := &durationpb.Duration{}
	if err := call.RecvMsg(interval); err != nil {
		return err
	}
	if interval.AsDuration() < time.Millisecond {
		return status.Error(codes.InvalidArgument, "interval below 1 ms")
	}
	ticker := time.NewTicker(interval.AsDuration())
	defer ticker.Stop()
	for i := uint32(0); ; i++ {
		if err := call.SendMsg(wrapperspb.UInt32(i)); err != nil {
			return err
		}
		select {
		case <-call.Context().Done():
			return nil
		case <-ticker.C:
		}
	}
}

func upload(_ any, call grpc.ServerStream) error {
	digest := NewDigest()
	for {
		chunk := &wrapperspb.BytesValue{}
		err := call.RecvMsg(chunk)
		if errors.Is(err, io.EOF) {
			return call.SendMsg(wrapperspb.String(digest.String()))
		}
		if err != nil {
			return err
		}
		digest.Add(chunk.Value)
	}
}

func download(_ any, call grpc.ServerStream) error {
	size := &wrapperspb.UInt64Value{}
	if err := call.RecvMsg(size); err != nil {
		return err
	}
	if size.Value > MaxTransferBytes {
		return status.Error(codes.InvalidArgument, "too many bytes")
	}
	return eachChunk(size.Value, func(chunk []byte) error {
		return call.SendMsg(wrapperspb.Bytes(chunk))
	})
}
