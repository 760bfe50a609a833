"""Curation over the catalogs of a mixture: what is measured, judged, and found twice, in files."""
