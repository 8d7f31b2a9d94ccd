"""How DuckDB's own reader of S3, httpfs, gets at a bucket: the endpoint and credentials that boto3 found. I/O."""

from urllib.parse import urlsplit

import duckdb

from pipeline.s3.client import client
from pipeline.s3.path import S3Path


def make_secret(con: duckdb.DuckDBPyConnection, root: S3Path) -> None:
    """Gives a connection that has loaded httpfs what it needs below `root`; it is kept nowhere."""
    used = client()
    endpoint, credentials = urlsplit(used.meta.endpoint_url), used._request_signer._credentials
    said = {
        "SCOPE": str(root),
        "REGION": used.meta.region_name or "us-east-1",
        "ENDPOINT": endpoint.netloc,
        "URL_STYLE": "vhost" if endpoint.netloc.endswith("amazonaws.com") else "path",
    }
    if credentials:
        found = credentials.get_frozen_credentials()
        said |= {"KEY_ID": found.access_key, "SECRET": found.secret_key}
        said |= {"SESSION_TOKEN": found.token} if found.token else {}
    quoted = ", ".join(f"{name} {_quoted(value)}" for name, value in said.items())
    con.execute(f"CREATE OR REPLACE TEMPORARY SECRET newsmill (TYPE s3, {quoted}, USE_SSL {endpoint.scheme == 'https'})")


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
