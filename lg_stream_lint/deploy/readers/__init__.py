"""One reader a format: ``read(file, context)`` gives a :class:`~lg_stream_lint.deploy.settings.Reading`."""
