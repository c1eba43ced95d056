"""What the services of Stint have in common: the contract, and how processes are run."""
