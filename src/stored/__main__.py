"""Entry point of ``python -m stored``."""

from stored.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
