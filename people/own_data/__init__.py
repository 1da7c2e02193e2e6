"""Own-data downloads: what the site keeps of an account, as one ZIP for its owner."""
