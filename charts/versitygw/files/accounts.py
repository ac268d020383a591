"""Makes every declared account with its bucket, and closes those that are declared no more.

May run any number of times. Keys come from files and go over the gateway's own API, signed: neither
arguments nor logs show them. What becomes of a bucket whose account is gone stands in a tag of the
bucket, for by then the declaration is gone too.
"""

import hashlib
import json
import logging
import os
import time
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from urllib.parse import quote

import boto3
from botocore import exceptions
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.httpsession import URLLib3Session

SECRETS = Path("/run/secrets")
PATIENCE_SECONDS = 300
TAG = "mlops-infra.dev/on-removal"


def read(secret, key):
    """The value of one key of a Secret."""
    return (SECRETS / secret / key).read_text()


class Gateway:
    """The gateway's S3 API and its administration, as the account that may do everything."""

    def __init__(self, url, region):
        self.url = url
        self.region = region
        self.root = read("root", "accessKey")
        self.login = Credentials(self.root, read("root", "secretKey"))
        self.http = URLLib3Session(timeout=(5, 60))
        self.s3 = boto3.client(
            "s3",
            endpoint_url=url,
            region_name=region,
            aws_access_key_id=self.login.access_key,
            aws_secret_access_key=self.login.secret_key,
            config=Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 3}),
        )

    def ask(self, path, body=b"", headers=None):
        """Status and body of an administrative request."""
        digest = {"X-Amz-Content-SHA256": hashlib.sha256(body).hexdigest()}
        headers = digest | (headers or {})
        request = AWSRequest("PATCH", f"{self.url}{path}", data=body, headers=headers)
        SigV4Auth(self.login, "s3", self.region).add_auth(request)
        answer = self.http.send(request.prepare())
        return answer.status_code, answer.content

    def demand(self, path, body=b"", headers=None):
        """The answer's document; the end of the program where the gateway refuses."""
        status, content = self.ask(path, body, headers)
        if status >= 400:
            raise SystemExit(f"the gateway refuses {path}: {status} {content[:500]!r}")
        # the gateway is our own: what it answers is no stranger's document
        return ElementTree.fromstring(content) if content.strip() else None  # noqa: S314

    def accounts(self):
        """Names of all accounts."""
        listed = self.demand("/list-users")
        return {each.findtext("Access") for each in listed.iter("Accounts")}

    def owners(self):
        """Every bucket with its owner."""
        listed = self.demand("/list-buckets")
        return {each.findtext("Name"): each.findtext("Owner") for each in listed.iter("Buckets")}


def wait(gateway):
    """Until the gateway answers."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            return gateway.accounts()
        except (exceptions.ConnectionError, exceptions.HTTPClientError) as error:
            if time.monotonic() > deadline:
                raise SystemExit(f"no answer from the gateway at {gateway.url}: {error}") from error
            time.sleep(2)


def account(kind, **fields):
    """The document that describes an account."""
    body = ElementTree.Element(kind)
    for name, value in fields.items():
        ElementTree.SubElement(body, name).text = value
    return ElementTree.tostring(body)


def make(gateway, wanted, known, owners):
    """One account and its bucket."""
    access, secret = read(wanted["secret"], "accessKey"), read(wanted["secret"], "secretKey")
    if access == gateway.root:
        raise SystemExit(f"Secret {wanted['secret']} names the account that may do everything")
    if access in known:
        changed = account("MutableProps", Secret=secret, Role="user")
        gateway.demand(f"/update-user?access={quote(access)}", changed)
    else:
        fields = {"UserID": "0", "GroupID": "0", "ProjectID": "0"}
        new = account("Account", Access=access, Secret=secret, Role="user", **fields)
        gateway.demand("/create-user", new)
    bucket = wanted["bucket"]
    if bucket not in owners:
        gateway.demand(f"/{quote(bucket)}/create", headers={"x-vgw-owner": access})
    elif owners[bucket] != access:
        gateway.demand(f"/change-bucket-owner?bucket={quote(bucket)}&owner={quote(access)}")
    tags = {"TagSet": [{"Key": TAG, "Value": wanted["onRemoval"]}]}
    gateway.s3.put_bucket_tagging(Bucket=bucket, Tagging=tags)
    logging.info("account %s, bucket %s: ready", access, bucket)
    return access


def wish(gateway, bucket):
    """What the tag says; None for a bucket that is none of ours."""
    try:
        tags = gateway.s3.get_bucket_tagging(Bucket=bucket)["TagSet"]
    except exceptions.ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] == 404:
            return None
        raise
    return next((tag["Value"] for tag in tags if tag["Key"] == TAG), None)


def purge(gateway, bucket):
    """Empty the bucket and delete it."""
    for page in gateway.s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
        objects = [{"Key": each["Key"]} for each in page.get("Contents", [])]
        if objects:
            gateway.s3.delete_objects(Bucket=bucket, Delete={"Objects": objects, "Quiet": True})
    gateway.s3.delete_bucket(Bucket=bucket)
    logging.info("bucket %s: deleted", bucket)


def close(gateway, gone, owners):
    """Accounts that are declared no more: their keys end now, their buckets as the tag says."""
    for bucket, owner in sorted(owners.items()):
        if owner not in gone:
            continue
        if wish(gateway, bucket) == "purge":
            purge(gateway, bucket)
        else:
            # A bucket without a living owner is one that the gateway stumbles over.
            path = f"/change-bucket-owner?bucket={quote(bucket)}&owner={quote(gateway.root)}"
            gateway.demand(path)
            logging.info("bucket %s: kept", bucket)
    for access in sorted(gone):
        gateway.demand(f"/delete-user?access={quote(access)}")
        logging.info("account %s: closed", access)


def main():
    """Make what is declared, then close what is not."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    gateway = Gateway(os.environ["GATEWAY"], os.environ["REGION"])
    known = wait(gateway)
    owners = gateway.owners()
    declared = json.loads(os.environ["ACCOUNTS"])
    made = {make(gateway, wanted, known, owners) for wanted in declared}
    close(gateway, known - made - {gateway.root}, owners)


main()
