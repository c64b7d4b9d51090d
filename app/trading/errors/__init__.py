"""Every error a person or a caller can meet, each with a code and a rule for what happens next.

    TradingError                     1000
    ├── GeneralError                 1xxx  refuse
    │   ├── InvalidInput, InvalidSettings, SettingMissing, DuplicateKey, FileUnreadable
    │   └── NotFound, MalformedRequest, RequestTooLarge, DatabaseNotEmpty
    ├── DataError                    2xxx  go on with the data already stored
    │   ├── NoData, TooFewBars, UnknownSymbol, DatasetDamaged, ReplayExhausted
    │   └── BarInvalid, BarOutOfOrder
    ├── StrategyError                3xxx  leave this strategy out, the others go on
    │   ├── StrategyUnknown, StrategyParametersInvalid, StrategyBroken
    │   ├── StrategyFailed, SignalInvalid, LookAhead
    │   └── NoSignals, CostsMissing, RecordDiffers
    ├── OrderError                   4xxx  a person decides
    │   ├── OrderInvalid, OrderNotFound, OrderConflict, SendOutcomeUnknown
    │   └── RiskRefused              stop trading
    │       ├── PositionLimit, OrderQuantityLimit, NotionalLimit, DailyLossLimit
    │       └── SymbolNotAllowed, OrderRateLimit, PriceUnknown, KillSwitchOn
    ├── SystemFault                  5xxx  retry, and not ready meanwhile
    │   ├── DatabaseUnavailable, SchemaMissing, VenueUnavailable, SocketUnavailable
    │   ├── LeaseLost, FencingTokenStale, SwitchRefused
    │   └── MigrationFailed, LockTimeout, NotReady, SandboxUnavailable
    └── SecurityError                6xxx  refuse and record
        ├── TokenMissing, TokenWrong, TokenFileUnsafe
        └── NotLoopback, CrossSiteRequest

The first line of a docstring is the message where none is given. A machine reads
`NAME: key=value, key=value`; the table with what to do next is docs/errors.md.
"""

from trading.errors.base import (
    Degrade,
    TradingError,
    all_errors,
    error_name,
)
from trading.errors.data import (
    BarInvalid,
    BarOutOfOrder,
    DataError,
    DatasetDamaged,
    NoData,
    ReplayExhausted,
    TooFewBars,
    UnknownSymbol,
)
from trading.errors.general import (
    DatabaseNotEmpty,
    DuplicateKey,
    FileUnreadable,
    GeneralError,
    InvalidInput,
    InvalidSettings,
    MalformedRequest,
    NotFound,
    RequestTooLarge,
    SettingMissing,
)
from trading.errors.security import (
    CrossSiteRequest,
    NotLoopback,
    SecurityError,
    TokenFileUnsafe,
    TokenMissing,
    TokenWrong,
)
from trading.errors.strategies import (
    CostsMissing,
    LookAhead,
    NoSignals,
    RecordDiffers,
    SignalInvalid,
    StrategyBroken,
    StrategyError,
    StrategyFailed,
    StrategyParametersInvalid,
    StrategyUnknown,
)
from trading.errors.system import (
    DatabaseUnavailable,
    FencingTokenStale,
    LeaseLost,
    LockTimeout,
    MigrationFailed,
    NotReady,
    SandboxUnavailable,
    SchemaMissing,
    SocketUnavailable,
    SwitchRefused,
    SystemFault,
    VenueUnavailable,
)
from trading.errors.trading import (
    DailyLossLimit,
    KillSwitchOn,
    NotionalLimit,
    OrderConflict,
    OrderError,
    OrderInvalid,
    OrderNotFound,
    OrderQuantityLimit,
    OrderRateLimit,
    PositionLimit,
    PriceUnknown,
    RiskRefused,
    SendOutcomeUnknown,
    SymbolNotAllowed,
)

__all__ = [
    "BarInvalid",
    "BarOutOfOrder",
    "CostsMissing",
    "CrossSiteRequest",
    "DailyLossLimit",
    "DataError",
    "DatabaseNotEmpty",
    "DatabaseUnavailable",
    "DatasetDamaged",
    "Degrade",
    "DuplicateKey",
    "FencingTokenStale",
    "FileUnreadable",
    "GeneralError",
    "InvalidInput",
    "InvalidSettings",
    "KillSwitchOn",
    "LeaseLost",
    "LockTimeout",
    "LookAhead",
    "MalformedRequest",
    "MigrationFailed",
    "NoData",
    "NoSignals",
    "NotFound",
    "NotLoopback",
    "NotReady",
    "NotionalLimit",
    "OrderConflict",
    "OrderError",
    "OrderInvalid",
    "OrderNotFound",
    "OrderQuantityLimit",
    "OrderRateLimit",
    "PositionLimit",
    "PriceUnknown",
    "RecordDiffers",
    "ReplayExhausted",
    "RequestTooLarge",
    "RiskRefused",
    "SandboxUnavailable",
    "SchemaMissing",
    "SecurityError",
    "SendOutcomeUnknown",
    "SettingMissing",
    "SignalInvalid",
    "SocketUnavailable",
    "StrategyBroken",
    "StrategyError",
    "StrategyFailed",
    "StrategyParametersInvalid",
    "StrategyUnknown",
    "SwitchRefused",
    "SymbolNotAllowed",
    "SystemFault",
    "TokenFileUnsafe",
    "TokenMissing",
    "TokenWrong",
    "TooFewBars",
    "TradingError",
    "UnknownSymbol",
    "VenueUnavailable",
    "all_errors",
    "error_name",
]
