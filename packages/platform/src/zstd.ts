import { constants, zstdCompressSync, zstdDecompressSync } from "node:zlib";
import { processFunctions } from "./native-library.ts";
import { NativeLife } from "./native-life.ts";

/**
 * zstd with one context that is used again and again. `node:zlib` builds a context at every call,
 * which for small blobs costs more than the compression itself.
 */
export interface Zstd extends Disposable {
  /**
   * Compresses `source` into the start of `target`; returns the bytes written, or -1 where `target`
   * is too small (`compressBound` is always enough).
   */
  compress(source: Uint8Array, target: Uint8Array): number;
  /**
   * Decompresses one frame into the start of `target`; returns the bytes written, or -1 where the
   * frame is damaged or does not fit.
   */
  decompress(source: Uint8Array, target: Uint8Array): number;
  /** What a frame says that it decompresses to, in bytes; -1 where it does not say, or is none. */
  contentSize(frame: Uint8Array): number;
}

export interface ZstdOptions {
  /** 1 (fastest) to 22. */
  readonly level: number;
}

/** The largest size that compressing `length` bytes may give (zstd's ZSTD_COMPRESSBOUND). */
export function compressBound(length: number): number {
  return length + (length >>> 8) + (length < 128 * 1024 ? (128 * 1024 - length) >>> 11 : 0);
}

const PARAMETER_COMPRESSION_LEVEL = 100;

const PROTOTYPES = {
  createCompressor: "void *ZSTD_createCCtx()",
  freeCompressor: "size_t ZSTD_freeCCtx(void *context)",
  setParameter: "size_t ZSTD_CCtx_setParameter(void *context, int parameter, int value)",
  compress:
    "int64_t ZSTD_compress2(void *context, void *target, size_t capacity, const void *source, size_t size)",
  createDecompressor: "void *ZSTD_createDCtx()",
  freeDecompressor: "size_t ZSTD_freeDCtx(void *context)",
  decompress:
    "int64_t ZSTD_decompressDCtx(void *context, void *target, size_t capacity, const void *source, size_t size)",
  contentSize: "int64_t ZSTD_getFrameContentSize(const void *source, size_t size)",
} as const;

let library: ReturnType<typeof processFunctions<keyof typeof PROTOTYPES>> | null = null;

/** The library's own functions, or `undefined` where this Node does not export them. */
export function createNativeZstd(options: ZstdOptions): Zstd | undefined {
  if (library === null) library = processFunctions(PROTOTYPES);
  if (library === undefined) return undefined;
  const zstd = library;
  const compressor = zstd.createCompressor();
  zstd.setParameter(compressor, PARAMETER_COMPRESSION_LEVEL, options.level);
  const decompressor = zstd.createDecompressor();
  // An error is a size_t close to its maximum, hence negative in the signed reading; so is a size that
  // is not known.
  const size = (result: unknown): number => (Number(result) < 0 ? -1 : Number(result));
  const life = new NativeLife("zstd");
  return {
    compress(source, target) {
      life.assertOpen();
      return size(zstd.compress(compressor, target, target.length, source, source.length));
    },
    decompress(source, target) {
      life.assertOpen();
      return size(zstd.decompress(decompressor, target, target.length, source, source.length));
    },
    contentSize: (frame) => size(zstd.contentSize(frame, frame.length)),
    [Symbol.dispose]() {
      if (!life.end()) return;
      zstd.freeCompressor(compressor);
      zstd.freeDecompressor(decompressor);
    },
  };
}

/** The same through `node:zlib`. */
export function createPortableZstd(options: ZstdOptions): Zstd {
  const params = { [constants.ZSTD_c_compressionLevel]: options.level };
  return {
    compress(source, target) {
      const result = zstdCompressSync(source, { params });
      if (result.length > target.length) return -1;
      target.set(result);
      return result.length;
    },
    decompress(source, target) {
      try {
        const result = zstdDecompressSync(source, { maxOutputLength: Math.max(1, target.length) });
        target.set(result);
        return result.length;
      } catch {
        return -1;
      }
    },
    // zlib does not tell.
    contentSize: () => -1,
    [Symbol.dispose]() {
      // Nothing is kept between calls.
    },
  };
}

export function createZstd(options: ZstdOptions): Zstd {
  return createNativeZstd(options) ?? createPortableZstd(options);
}
