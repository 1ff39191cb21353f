"""Random damaged and made-up inputs for everything that reads what users bring.

``make fuzz MINUTES=10`` runs it. An input may be accepted or explained by an error of the project;
any other exception, a hang, too much memory or the end of the process is a finding.
"""
