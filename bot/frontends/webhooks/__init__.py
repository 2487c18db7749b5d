"""The listener for the deliveries of forges' webhooks: an address of its own that serves nothing else."""
