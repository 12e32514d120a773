"""The built-in RandomCutForest algorithm's contract over the krcf engine."""
