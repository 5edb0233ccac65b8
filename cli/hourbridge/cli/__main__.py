"""`python -m hourbridge.cli`."""

from hourbridge.cli.main import main

main()
