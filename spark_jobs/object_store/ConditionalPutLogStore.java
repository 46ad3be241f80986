package airflow_provider_etl;

import io.delta.storage.HadoopFileSystemLogStore;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.util.Arrays;
import java.util.Iterator;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.FSDataOutputStream;
import org.apache.hadoop.fs.FSDataOutputStreamBuilder;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import software.amazon.awssdk.core.exception.SdkServiceException;

/**
 * Delta's log on S3 for any number of writers: each commit's file is put on the condition that there is none, which
 * the store itself decides (If-None-Match: *). The log stores that come with Delta 4.4 look first and write then.
 */
public final class ConditionalPutLogStore extends HadoopFileSystemLogStore {
  private static final String CONDITIONAL = "fs.option.create.conditional.overwrite";
  private static final String NO_PROBES = "fs.s3a.create.performance";
  private static final int EXISTS = 412; // Precondition Failed
  private static final int BUSY = 409; // another conditional put of this file is on its way: S3 asks to try again
  private static final int TRIES = 8;
  private static final Set<String> PROVEN = ConcurrentHashMap.newKeySet();

  public ConditionalPutLogStore(Configuration configuration) {
    super(configuration);
  }

  @Override
  public void write(Path path, Iterator<String> actions, Boolean overwrite, Configuration configuration)
      throws IOException {
    byte[] content = joined(actions);
    FileSystem fs = path.getFileSystem(configuration);
    if (overwrite) {
      FSDataOutputStreamBuilder<?, ?> file = fs.createFile(path);
      put(file.overwrite(true), content);
      return;
    }
    prove(fs, path);
    if (!created(fs, path, content) && !holds(fs, path, content)) {
      throw new FileAlreadyExistsException(path.toString());
    }
  }

  /** On S3 a file is there whole or not at all. */
  @Override
  public Boolean isPartialWriteVisible(Path path, Configuration configuration) {
    return false;
  }

  private static byte[] joined(Iterator<String> actions) {
    ByteArrayOutputStream content = new ByteArrayOutputStream();
    while (actions.hasNext()) {
      content.writeBytes(actions.next().getBytes(StandardCharsets.UTF_8));
      content.write('\n');
    }
    return content.toByteArray();
  }

  /** Whether this put has made the file; false where there was one. */
  private static boolean created(FileSystem fs, Path path, byte[] content) throws IOException {
    for (int attempt = 1; ; attempt++) {
      try {
        FSDataOutputStreamBuilder<?, ?> file = fs.createFile(path);
        file.recursive().overwrite(false);
        file.opt(NO_PROBES, true);
        file.must(CONDITIONAL, true);
        put(file, content);
        return true;
      } catch (IOException error) {
        int status = status(error);
        if (status == EXISTS) {
          return false;
        }
        if (status != BUSY || attempt == TRIES) {
          throw error;
        }
        pause(attempt);
      }
    }
  }

  /** Nothing is visible before the stream is closed, and nothing at all where it is aborted. */
  private static void put(FSDataOutputStreamBuilder<?, ?> file, byte[] content) throws IOException {
    FSDataOutputStream stream = file.build();
    try {
      stream.write(content);
    } catch (IOException | RuntimeException error) {
      stream.abort();
      throw error;
    }
    stream.close();
  }

  /**
   * Whether a file holds just this: the put had arrived, only its answer got lost and the client sent it again. Delta
   * writes an id of its own into each commit, so nobody else's is equal.
   */
  private static boolean holds(FileSystem fs, Path path, byte[] content) throws IOException {
    try (FSDataInputStream stream = fs.open(path)) {
      return Arrays.equals(content, stream.readNBytes(content.length + 1));
    }
  }

  /** See, once per bucket, that the store keeps the condition: one that doesn't know it overwrites without a word. */
  private static void prove(FileSystem fs, Path commit) throws IOException {
    URI place = commit.toUri();
    String bucket = place.getScheme() + "://" + place.getAuthority();
    if (PROVEN.contains(bucket)) {
      return;
    }
    Path probe = new Path(commit.getParent(), "." + UUID.randomUUID() + ".probe");
    try {
      byte[] first = {'1'};
      boolean isThere = created(fs, probe, first) || holds(fs, probe, first); // or the put's answer got lost
      if (!isThere || created(fs, probe, new byte[] {'2'})) {
        throw new IOException(
            "CONDITIONAL_PUT_IGNORED: the store of " + bucket + " overwrites a file that must not be there"
                + " (If-None-Match: *), so commits of concurrent writers would get lost");
      }
    } finally {
      fs.delete(probe, false);
    }
    PROVEN.add(bucket);
  }

  /** The HTTP status that an error goes back to; 0 where there is none. */
  private static int status(Throwable error) {
    for (Throwable cause = error; cause != null; cause = cause.getCause()) {
      if (cause instanceof SdkServiceException) {
        return ((SdkServiceException) cause).statusCode();
      }
      if (cause instanceof org.apache.hadoop.fs.FileAlreadyExistsException) {
        return EXISTS;
      }
    }
    return 0;
  }

  private static void pause(int attempt) throws IOException {
    try {
      Thread.sleep(50L << attempt);
    } catch (InterruptedException error) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException("interrupted while a commit was put");
    }
  }
}
