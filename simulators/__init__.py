"""The outside world in a box: WeChat, WeChat Pay, Alipay, kdniao, Aliyun SMS and the identity authority.

It speaks the providers' own protocols and knows nothing of the product: ``create_app`` mounts it anywhere,
``opened`` serves it from a thread, ``issue_credentials`` gives the settings that point the product at it.
"""

from simulators.app import create_app
from simulators.credentials import issue_credentials
from simulators.serving import opened

__all__ = ["create_app", "issue_credentials", "opened"]
