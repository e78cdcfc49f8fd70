// Package sqldb is version 2.0.0 of the package of that name with the one name more that litd wants: the
// earlier version it was written for cannot be had.
package sqldb

import (
	"database/sql"
	"testing"
	"time"

	"github.com/btcsuite/btclog/v2"
	"golang.org/x/exp/constraints"
	"pinhole.invalid/sqldb/v2"
)

const (
	BackendTypeUnknown = sqldb.BackendTypeUnknown
	Subsystem          = sqldb.Subsystem
)

type (
	// BaseQuerier is the name: what queries had to have. Now they need nothing.
	BaseQuerier = any

	BackendType                = sqldb.BackendType
	BaseDB                     = sqldb.BaseDB
	BatchedTx[Q any]           = sqldb.BatchedTx[Q]
	MigrationExecutor          = sqldb.MigrationExecutor
	MigrationSet               = sqldb.MigrationSet
	PostgresConfig             = sqldb.PostgresConfig
	PostgresStore              = sqldb.PostgresStore
	SqliteConfig               = sqldb.SqliteConfig
	SqliteStore                = sqldb.SqliteStore
	TestPgFixture              = sqldb.TestPgFixture
	TransactionExecutor[Q any] = sqldb.TransactionExecutor[Q]
	TxOptions                  = sqldb.TxOptions
)

// NoOpReset resets nothing.
var NoOpReset = sqldb.NoOpReset

func ApplyAllMigrations(executor MigrationExecutor, sets []MigrationSet) error {
	return sqldb.ApplyAllMigrations(executor, sets)
}

func NewPostgresStore(config *PostgresConfig) (*PostgresStore, error) {
	return sqldb.NewPostgresStore(config)
}

func NewSqliteStore(config *SqliteConfig, path string) (*SqliteStore, error) {
	return sqldb.NewSqliteStore(config, path)
}

func NewTestPgFixture(t *testing.T, expiry time.Duration) *TestPgFixture {
	return sqldb.NewTestPgFixture(t, expiry)
}

func NewTestPostgresDB(t *testing.T, fixture *TestPgFixture, sets []MigrationSet) *PostgresStore {
	return sqldb.NewTestPostgresDB(t, fixture, sets)
}

func NewTransactionExecutor[Q any](
	db sqldb.BatchedQuerier, create func(*sql.Tx) Q,
) *TransactionExecutor[Q] {
	return sqldb.NewTransactionExecutor(db, create)
}

func SQLInt16[T constraints.Integer](n T) sql.NullInt16 { return sqldb.SQLInt16(n) }
func SQLInt32[T constraints.Integer](n T) sql.NullInt32 { return sqldb.SQLInt32(n) }
func SQLInt64[T constraints.Integer](n T) sql.NullInt64 { return sqldb.SQLInt64(n) }
func SQLStr(text string) sql.NullString                 { return sqldb.SQLStr(text) }
func SQLTime(at time.Time) sql.NullTime                 { return sqldb.SQLTime(at) }
func UseLogger(logger btclog.Logger)                    { sqldb.UseLogger(logger) }
func WriteTxOpt() TxOptions                             { return sqldb.WriteTxOpt() }
