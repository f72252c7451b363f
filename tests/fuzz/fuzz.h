/* fuzz: what reads bytes that may be anything, each as a function that takes such bytes.  None may
 * crash, hang, leak, or take memory out of proportion; what they answer is their own business.
 * SPDX-License-Identifier: MIT */
#ifndef FUZZ_H
#define FUZZ_H

#include <stddef.h>
#include <stdint.h>

void fuzz_value(const uint8_t *bytes, size_t size); /* mill_codec_load */
void fuzz_file(const uint8_t *bytes, size_t size);  /* a row and its file: mill_object_decode */
void fuzz_export(const uint8_t *bytes, size_t size);  /* mill_store_import */
void fuzz_npy(const uint8_t *bytes, size_t size);     /* mill_npy_read */
void fuzz_fuse(const uint8_t *bytes, size_t size);    /* tidemill_kernel_fuse, when checked */
void fuzz_arrow(const uint8_t *bytes, size_t size);   /* mill_arrow_import */
void fuzz_message(const uint8_t *bytes, size_t size); /* mill_hearing_read */
void fuzz_news(const uint8_t *bytes, size_t size);    /* mill_news_read */

struct fuzz_target {
    const char *name; /* also of its folder in tests/fuzz/corpus */
    void (*run)(const uint8_t *bytes, size_t size);
};

extern const struct fuzz_target fuzz_targets[];
enum { FUZZ_TARGETS = 8 };

/* Runs all files of a folder, and `rounds` changes of them drawn from `seed`; the files' number. */
int fuzz_folder(const struct fuzz_target *target, const char *folder, uint64_t seed,
                int rounds);

/* Writes what the engine itself would write, to begin with, into the folders below `corpus`. */
void fuzz_seed(const char *corpus);
void fuzz_seed_message(const char *corpus);

#endif
