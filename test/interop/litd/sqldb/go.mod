module github.com/lightningnetwork/lnd/sqldb/v2

go 1.26.0

require (
	github.com/btcsuite/btclog/v2 v2.0.1-0.20250728225537-6090e87c6c5b
	golang.org/x/exp v0.0.0-20250811191247-51f88131bc50
	pinhole.invalid/sqldb/v2 v2.0.0
)
