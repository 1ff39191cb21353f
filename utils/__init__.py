"""The library: everything the programs and the web app share."""
