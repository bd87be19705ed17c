"""A bucket: objects are looked for, put and removed.

Knows obstore and what it is asked. Does not know what an object is for.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from mroute.api import DeliveryError
from mroute_storage.s3.connecting import open_store
from mroute_storage.s3.content import Content, Found
from mroute_storage.s3.errors import NOT_IMPLEMENTED, NotTakenError, meaning_of, status_of
from mroute_storage.s3.target import S3Target

if TYPE_CHECKING:
    from obstore import Attributes, ObjectMeta, PutMode, PutResult

_SHA256 = "sha256"
"""A key of the object's own metadata: a store may change its ETag, and not this."""
_PARTS_AT_ONCE = 4


class Bucket:
    """The bucket of a target; raises what `meaning_of` an error is, and `TargetDownError`."""

    def __init__(self, target: S3Target) -> None:
        self._place = target.place
        self._store = open_store(target)
        self._mode: PutMode = "create"

    def keep(self, key: str, content: Content, parts: Iterator[bytes]) -> bool:
        """Have the content under a key; False where something else is there, which stays.

        ``parts`` are those of the content; where they raise, nothing is left of it.
        """
        found = self.find(key)
        if found is None:
            tag = self._put(key, content, parts)
            if tag == content.tag:
                return True
            found = self.find(key)
            if found is None:
                raise DeliveryError(f"{self._place}: an image is not there that was put there")
            if tag is not None and not content.is_in(found):
                raise DeliveryError(f"{self._place}: an image has another content than was sent")
        return content.is_in(found)

    def find(self, key: str) -> Found | None:
        """What is under a key."""
        import obstore

        with self._translated(asking=True):
            try:
                answer = obstore.get(self._store, key, options={"head": True})
            except FileNotFoundError:
                return None
        return Found(answer.meta["size"], _tag(answer.meta), answer.attributes.get(_SHA256, ""))

    def try_out(self, key: str) -> None:
        """Put an empty object under a key that nothing has; find out whether that can be done."""
        import obstore

        with self._translated(asking=True):
            obstore.put(self._store, key, b"", use_multipart=False)

    def remove(self, key: str) -> None:
        """Remove an object."""
        import obstore

        with self._translated(asking=True):
            obstore.delete(self._store, key)

    def _put(self, key: str, content: Content, parts: Iterator[bytes]) -> str | None:
        """The ETag of a new object; None where somebody else was faster."""
        import obstore
        from obstore.exceptions import AlreadyExistsError

        attributes: Attributes = {"Content-Type": "application/dicom", _SHA256: content.sha256}
        with self._translated():
            try:
                if content.is_whole:
                    return _tag(self._create(key, b"".join(parts), attributes))
                # No store can be told to take these only where nothing is there.
                return _tag(
                    obstore.put(
                        self._store,
                        key,
                        parts,
                        attributes=attributes,
                        use_multipart=True,
                        chunk_size=content.part,
                        max_concurrency=_PARTS_AT_ONCE,
                    )
                )
            except AlreadyExistsError:
                return None

    def _create(self, key: str, whole: bytes, attributes: Attributes) -> PutResult:
        """Put an object where nothing is; a store that has no such request is told to put it."""
        import obstore
        from obstore.exceptions import BaseError

        try:
            return obstore.put(
                self._store, key, whole, attributes=attributes, mode=self._mode, use_multipart=False
            )
        except BaseError as error:
            if self._mode == "overwrite" or status_of(error) != NOT_IMPLEMENTED:
                raise
        self._mode = "overwrite"
        return self._create(key, whole, attributes)

    @contextmanager
    def _translated(self, *, asking: bool = False) -> Iterator[None]:
        from obstore.exceptions import BaseError, InvalidPathError

        try:
            yield
        except InvalidPathError as error:
            raise NotTakenError("", "its name, or that of its folder, cannot be a key") from error
        except BaseError as error:
            raise meaning_of(error, self._place, asking=asking) from error
        except FileNotFoundError as error:
            if error.errno is not None:  # it is the image that is gone
                raise
            raise meaning_of(error, self._place, asking=asking) from error


def _tag(answer: PutResult | ObjectMeta) -> str:
    return (answer["e_tag"] or "").strip('"')
