"""Files that come to be at once, whole, and by one of several writers alone; on every file system in its own way."""

from __future__ import annotations

from typing import Any, Final
from uuid import uuid4

from spark_jobs.errors import ConfigError
from spark_jobs.session import Storage

_STORES: Final = ("s3a", "s3", "gs")
"""Object stores: a file is there when its writer has closed it, not before."""
_S3: Final = ("s3a", "s3")
_CONDITIONAL: Final = "fs.option.create.conditional.overwrite"
_OPTION: Final = "java.nio.file.OpenOption"
_TAKEN: Final = ("FileAlreadyExistsException", "RemoteFileChangedException", "PreconditionFailed", "Status Code: 412")


class Atomic(Storage):
    """A storage whose small files are made whole or not at all."""

    @property
    def _scheme(self) -> str:
        return str(self._fs.getScheme())

    def create(self, path: str, text: str) -> bool:
        """Make a file where there is none of its name; of several at once one alone succeeds.

        Args:
            path: the file; its folder is made.
            text: what it holds, all of it from the moment on at which it is there.

        Returns:
            Whether it was made; not where there is one already.

        Raises:
            ConfigError: the file system can't do that.
        """
        self._fs.mkdirs(self._path(path).getParent())
        if self._scheme == "file":
            return self._linked(path, text)
        return self._put(path, text) if self._scheme in _STORES else self._renamed(path, text)

    def replace(self, path: str, text: str) -> None:
        """Write a file, in place of one that is there: readers see the one or the other."""
        if self._scheme in _STORES:
            self._written(self._fs.create(self._path(path), True), text)
            return
        hidden = self._hidden(path)
        if self._scheme == "file":  # Hadoop's own rename there looks first and renames then
            move: Any = self._jvm.java.nio.file
            there = move.Files.write(self._local(hidden), bytearray(text, "utf-8"), self._array(_OPTION))
            how = self._array("java.nio.file.CopyOption", move.StandardCopyOption.ATOMIC_MOVE)
            move.Files.move(there, self._local(path), how)
            return
        self._written(self._fs.create(self._path(hidden), True), text)
        self._move(hidden, path, "OVERWRITE")

    def _local(self, path: str) -> Any:
        return self._fs.pathToFile(self._path(path)).toPath()

    def _linked(self, path: str, text: str) -> bool:
        """By a second name of a file, which on local disks is the one step that never takes a name from another."""
        from py4j.protocol import Py4JJavaError

        files: Any = self._jvm.java.nio.file.Files
        hidden, target = (self._local(name) for name in (self._hidden(path), path))
        files.write(hidden, bytearray(text, "utf-8"), self._array(_OPTION))
        try:
            files.createLink(target, hidden)
        except Py4JJavaError as error:
            if _is_taken(error):
                return False
            if "UnsupportedOperationException" not in str(error) and "not permitted" not in str(error):
                raise
            raise _impossible(path, "has no hard links") from error
        finally:
            files.deleteIfExists(hidden)
        return True

    def _put(self, path: str, text: str) -> bool:
        """By a put on condition, which the store itself decides."""
        from py4j.protocol import Py4JJavaError

        try:
            if self._scheme in _S3:
                builder = self._fs.createFile(self._path(path)).overwrite(False).must(_CONDITIONAL, "true")
                self._written(builder.build(), text)
            else:
                self._written(self._fs.create(self._path(path), False), text)
        except Py4JJavaError as error:
            if _is_taken(error):
                return False
            if _CONDITIONAL in str(error):
                raise _impossible(path, "knows no conditional put (hadoop-aws before 3.4.2?)") from error
            raise
        return True

    def _renamed(self, path: str, text: str) -> bool:
        """By a rename that takes no name from another: HDFS, ADLS and their like."""
        from py4j.protocol import Py4JJavaError

        hidden = self._hidden(path)
        self._written(self._fs.create(self._path(hidden), False), text)
        try:
            self._move(hidden, path, "NONE")
        except Py4JJavaError as error:
            if _is_taken(error):
                return False
            if "UnsupportedFileSystemException" in str(error):
                raise _impossible(path, "tells nothing of renames that take no name from another") from error
            raise
        finally:
            self._fs.delete(self._path(hidden), False)
        return True

    def _move(self, source: str, target: str, how: str) -> None:
        context = self._jvm.org.apache.hadoop.fs.FileContext.getFileContext(self._fs.getUri(), self._configuration)
        option = getattr(getattr(self._jvm.org.apache.hadoop.fs, "Options$Rename"), how)
        options = self._array("org.apache.hadoop.fs.Options$Rename", option)
        context.rename(self._path(source), self._path(target), options)

    def _array(self, kind: str, *items: Any) -> Any:
        array: Any = self._jvm.java.lang.reflect.Array
        made = array.newInstance(self._jvm.java.lang.Class.forName(kind), len(items))
        for place, item in enumerate(items):
            array.set(made, place, item)
        return made

    def _written(self, stream: Any, text: str) -> None:
        try:
            stream.write(bytearray(text, "utf-8"))
        finally:
            stream.close()

    def _hidden(self, path: str) -> str:
        folder, _, name = path.rpartition("/")
        return f"{folder}/.{name}.{uuid4().hex}"


def _is_taken(error: Exception) -> bool:
    return any(mark in str(error) for mark in _TAKEN)


def _impossible(path: str, why: str) -> ConfigError:
    return ConfigError(
        f"the file system {why}",
        where=path,
        expected="local disk with hard links, HDFS, ADLS, S3 or GCS",
        remedy="load the table elsewhere, or as type: delta",
    )
