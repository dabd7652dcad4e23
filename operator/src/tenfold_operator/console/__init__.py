"""What a person looks at: a read-only page and its API."""
