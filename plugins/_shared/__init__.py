"""What several plugins need: one file per third-party client. Imports no slot."""
