"""The one engine: the same code decides in a backtest, in a shadow run and live."""
