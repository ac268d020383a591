"""Entry point for plain `pulumi up`; the Automation API calls the same function."""

from stacks.program import program

program()
