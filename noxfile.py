"""The suite on every Python that is here: `nox`."""

import nox

nox.options.default_venv_backend = "venv"
nox.options.error_on_missing_interpreters = False


@nox.session(python=["3.11", "3.12", "3.13"])
def tests(session: nox.Session) -> None:
    """The whole suite."""
    session.install("-q", "-U", "pip")
    session.install("-q", "-e", ".[graphql,html,server]", "--group", "dev")
    session.run("pytest", "-n", "2", *session.posargs)
