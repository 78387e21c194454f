"""A fuzzer over the decoder of entries: ``python -m tests.fuzz``."""
