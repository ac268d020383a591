"""Makes every declared account and bucket as declared, and closes what is declared no more.

May run any number of times. Keys come from files and go over the gateway's own API, signed: neither
arguments nor logs show them. All buckets belong to one account, the owner; who else may use one,
its policy says. What becomes of a bucket that is declared no more stands in a tag of it, for by
then the declaration is gone too.
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
DECLARED = Path("/etc/versitygw/declared.json")
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


def set_account(gateway, secret, role, known):
    """Make one account exist with the keys of its Secret; its access key."""
    access, password = read(secret, "accessKey"), read(secret, "secretKey")
    if access == gateway.root:
        raise SystemExit(f"Secret {secret} names the account that may do everything")
    if access in known:
        changed = account("MutableProps", Secret=password, Role=role)
        gateway.demand(f"/update-user?access={quote(access)}", changed)
    else:
        fields = {"UserID": "0", "GroupID": "0", "ProjectID": "0"}
        new = account("Account", Access=access, Secret=password, Role=role, **fields)
        gateway.demand("/create-user", new)
    logging.info("account %s: ready", access)
    return access


def set_bucket(gateway, declared, owner, owners):
    """Make one bucket exist with its policy, its owner and the tag of its end."""
    bucket, policy = declared["name"], declared["policy"]
    if bucket not in owners:
        gateway.demand(f"/{quote(bucket)}/create", headers={"x-vgw-owner": owner})
    if owners.get(bucket, owner) != owner:
        # takes the policy away
        gateway.demand(f"/change-bucket-owner?bucket={quote(bucket)}&owner={quote(owner)}")
    gateway.s3.put_bucket_policy(Bucket=bucket, Policy=policy)
    clear_acl(gateway, bucket, owner)
    gateway.s3.delete_bucket_cors(Bucket=bucket)
    wish = declared["onRemoval"]
    tags = {"TagSet": [{"Key": TAG, "Value": wish}] if wish else []}
    gateway.s3.put_bucket_tagging(Bucket=bucket, Tagging=tags)
    logging.info("bucket %s: ready", bucket)


def clear_acl(gateway, bucket, owner):
    """No ACL beside the policy: one that is there counts for strangers, whatever the ownership."""
    grants = gateway.s3.get_bucket_acl(Bucket=bucket)["Grants"]
    modes = ["BucketOwnerEnforced"]
    if any(grant["Grantee"].get("ID") != owner for grant in grants):
        modes.insert(0, "BucketOwnerPreferred")  # where ACLs can be changed
    for mode in modes:
        rules = {"Rules": [{"ObjectOwnership": mode}]}
        gateway.s3.put_bucket_ownership_controls(Bucket=bucket, OwnershipControls=rules)
        if mode != "BucketOwnerEnforced":
            gateway.s3.put_bucket_acl(Bucket=bucket, ACL="private")


def wish(gateway, bucket):
    """What the tag says; None for a bucket that was never declared."""
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


def keep(gateway, bucket, owner):
    """Leave a bucket to its owner alone."""
    resource = f"arn:aws:s3:::{bucket}"
    alone = {
        "Effect": "Allow",
        "Principal": {"AWS": [owner]},
        "Action": [
            *("s3:GetBucketPolicy", "s3:GetBucketTagging", "s3:ListBucket"),
            *("s3:GetObject", "s3:PutObject", "s3:DeleteObject"),
        ],
        "Resource": [resource, f"{resource}/*"],
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [alone]})
    gateway.demand(f"/change-bucket-owner?bucket={quote(bucket)}&owner={quote(owner)}")
    gateway.s3.put_bucket_policy(Bucket=bucket, Policy=policy)
    logging.info("bucket %s: kept", bucket)


def close(gateway, gone, leftover, owner):
    """What is declared no more: buckets as their tags say, then keys."""
    for bucket in sorted(leftover):
        said = wish(gateway, bucket)
        if said == "purge":
            purge(gateway, bucket)
        elif said or leftover[bucket] in gone:
            # a bucket without a living owner is one that the gateway stumbles over
            keep(gateway, bucket, owner)
    for access in sorted(gone):
        gateway.demand(f"/delete-user?access={quote(access)}")
        logging.info("account %s: closed", access)


def main():
    """Make what is declared, then close what is not."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    declared = json.loads(DECLARED.read_text())
    if not declared["owner"]:
        return
    gateway = Gateway(os.environ["GATEWAY"], os.environ["REGION"])
    known = wait(gateway)
    owner = set_account(gateway, declared["owner"], "userplus", known)
    made = {set_account(gateway, secret, "user", known) for secret in declared["accounts"]}
    owners = gateway.owners()
    for bucket in declared["buckets"]:
        set_bucket(gateway, bucket, owner, owners)
    names = {bucket["name"] for bucket in declared["buckets"]}
    leftover = {bucket: each for bucket, each in owners.items() if bucket not in names}
    close(gateway, known - made - {gateway.root, owner}, leftover, owner)


if __name__ == "__main__":
    main()
