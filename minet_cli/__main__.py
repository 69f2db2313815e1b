"""`python -m minet_cli`: the command, where another program has its name."""

from minet_cli.main import main

if __name__ == "__main__":
    main()
