"""A video whose scenes are looked at apart, and joined to one result."""
