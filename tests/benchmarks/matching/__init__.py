"""Ten thousand rules at once: the workload, the reference, the peers, and the measurement.

Run by ``python -m tests.benchmarks.matching``; docs/explanation/performance.md has the result.
"""
