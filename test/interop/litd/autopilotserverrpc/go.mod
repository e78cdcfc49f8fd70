module github.com/lightninglabs/lightning-terminal/autopilotserverrpc

go 1.26.0

require google.golang.org/grpc v1.79.3
