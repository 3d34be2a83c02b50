"""What every dialect needs of HTTP: bodies, credentials, paging, problems."""
