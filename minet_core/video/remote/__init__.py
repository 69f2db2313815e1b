"""Videos in buckets and on servers."""
