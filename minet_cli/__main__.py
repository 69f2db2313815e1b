"""`python -m minet_cli`: the command, where another program is called `minet`."""

from minet_cli.main import main

if __name__ == "__main__":
    main()
