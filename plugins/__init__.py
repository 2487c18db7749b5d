"""One folder a slot, one file a service. A plugin sees the ports, the domain and the errors."""
