"""Text output, exit codes and result files of the programs."""
