"""Released versions of scientific packages, one after the other, as somebody's own modules."""
