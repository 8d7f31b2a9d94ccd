"""S3 as paths and files: what objects are there, their bytes, and conditional writes. Knows nothing of lakes.

It rests on boto3, the extra `s3`; endpoint, region and credentials come from where boto3 takes them (AWS_ENDPOINT_URL,
AWS_PROFILE, a role, …).
"""

from pipeline.s3.path import S3Path, place_of, readable

__all__ = ["S3Path", "place_of", "readable"]
