"""REST API of transcripts, under /api/v1/: one view per operation."""
