"""The documents, held against the code they describe."""
