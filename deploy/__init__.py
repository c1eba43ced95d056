"""Deploy: how Stint gets onto a machine. The services never import anything from here."""
