"""Benchmarks: stored beside its peers, as ratios within one run."""
