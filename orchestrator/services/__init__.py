"""What a person can ask of the fleet, one file each. Front ends call only these."""
