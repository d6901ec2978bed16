"""events → facts: pure folds, and the deriver that loads, folds and writes what new events touched."""
