"""What the programs share: exit codes, option checks, and how results reach a terminal or file."""
