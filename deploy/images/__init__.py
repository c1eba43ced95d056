"""Stand-ins for the official images, for machines that cannot pull: `deploy/images/make` says when and how."""
