"""Many studies in one go: a table of cases in, a folder and a row of results per case out."""
