"""The HTTP face: thin handlers over ingest, derive and metrics; none computes a figure of its own."""
