"""Backtests piece by piece: cutoffs, contenders, folds, and how contenders stand."""
