"""`python -m api.cli`: the same command, for processes that start their own kind."""

from api.cli import main

main()
