/* Runs a program and writes down, in one order, what all of its threads do to the files below a folder.
 *
 *     record LOG FOLDER ENTRIES WORD MORE PROGRAM [ARGUMENT...]
 *
 * It watches system calls by ptrace and not by a library that is loaded first: parts of the program make
 * system calls without the C library. A call is written down when it has returned and before its thread
 * goes on, so whoever knows of an effect finds it in the log. A sync is written down twice, because only
 * what was written before it began is durable when it ended; a close when it begins, because another
 * thread may be given the number before it has ended.
 *
 * An entry is a `struct head`, two paths and the bytes that were written; they are put behind those of
 * earlier runs. The program is killed at SIGTERM, and when after so many entries (0: never) one names a path
 * with that word, and so many more have followed: no call begins any more, and those that have begun end, so
 * that no effect is missing in the log.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

enum kind { OPEN = 1, CLOSE, COPY, WRITE, CUT, SYNC_BEGINS, SYNC_ENDS, RENAME, UNLINK, MAKE_FOLDER, REMOVE_FOLDER, UNKNOWN, STARTED };

struct head {
    uint32_t length; /* of all of the entry */
    uint32_t kind;
    int64_t fd;
    int64_t number; /* flags, position, length, thread, other descriptor, system call */
    uint32_t path_bytes, other_path_bytes;
};

/* System calls that change files, or may. Those that are not handled below are written down as unknown. */
static const int WATCHED[] = {
#ifdef SYS_open
    SYS_open, SYS_creat, SYS_rename, SYS_unlink, SYS_mkdir, SYS_rmdir, SYS_link, SYS_symlink, SYS_dup2,
#endif
#ifdef SYS_renameat
    SYS_renameat,
#endif
    SYS_openat, SYS_openat2, SYS_renameat2, SYS_unlinkat, SYS_mkdirat, SYS_linkat, SYS_symlinkat, SYS_dup,
    SYS_dup3, SYS_fcntl, SYS_close, SYS_close_range, SYS_write, SYS_pwrite64, SYS_writev, SYS_pwritev,
    SYS_pwritev2, SYS_fallocate, SYS_ftruncate, SYS_truncate, SYS_fsync, SYS_fdatasync,
    SYS_copy_file_range, SYS_sendfile, SYS_splice, SYS_mmap, SYS_io_uring_setup, SYS_ioctl,
};
enum { WATCHED_COUNT = sizeof(WATCHED) / sizeof(WATCHED[0]), FDS = 65536, THREADS = 512, PATH_BYTES = 4096 };

/* A call that has begun and not returned. */
struct call {
    pid_t thread;
    long nr;
    uint64_t args[6];
    char path[PATH_BYTES], other_path[PATH_BYTES];
};

static struct call calls[THREADS];
static char is_ours[FDS]; /* descriptors of files below the folder */
static const char *folder;
static int out;
static pid_t child;
static long entries_left, more_left;
static const char *word;
static volatile sig_atomic_t is_ending, begun; /* calls that have begun */
static char *bytes;
static size_t bytes_room;

static void die(const char *what) {
    perror(what);
    _exit(120);
}

static void end(int signal) {
    (void)signal;
    is_ending = 1;
    if (!begun) kill(child, SIGKILL);
}

static void note(enum kind kind, int64_t fd, int64_t number, const char *path, const char *other, size_t count) {
    struct head head = {0, kind, fd, number, strlen(path), strlen(other)};
    head.length = sizeof head + head.path_bytes + head.other_path_bytes + count;
    struct iovec parts[] = {
        {&head, sizeof head}, {(void *)path, head.path_bytes}, {(void *)other, head.other_path_bytes}, {bytes, count}};
    if (writev(out, parts, 4) != (ssize_t)head.length) die("writing the log");
    if (entries_left > 1) entries_left--;
    else if (entries_left == 1 && (strstr(path, word) || strstr(other, word))) entries_left = -1;
    if (entries_left == -1 && more_left-- == 0) is_ending = 1;
}

static void peek(pid_t thread, uint64_t from, void *to, size_t count) {
    struct iovec local = {to, count}, remote = {(void *)from, count};
    if (count && process_vm_readv(thread, &local, 1, &remote, 1, 0) != (ssize_t)count) die("reading memory");
}

/* A text of the program; a byte at a time would be slow, and more than a page may not be there. */
static void peek_text(pid_t thread, uint64_t from, char *to) {
    size_t done = 0;
    while (done < PATH_BYTES - 1) {
        size_t count = 256 - (from + done) % 256;
        if (count > PATH_BYTES - 1 - done) count = PATH_BYTES - 1 - done;
        peek(thread, from + done, to + done, count);
        if (memchr(to + done, 0, count)) return;
        done += count;
    }
    to[done] = 0;
}

/* The whole path of a name that is looked up from a folder's descriptor. */
static void resolve(pid_t thread, int at, uint64_t name, char *to) {
    char link[64], text[PATH_BYTES];
    peek_text(thread, name, text);
    if (text[0] == '/') {
        strcpy(to, text);
        return;
    }
    if (at == AT_FDCWD) snprintf(link, sizeof link, "/proc/%d/cwd", thread);
    else snprintf(link, sizeof link, "/proc/%d/fd/%d", thread, at);
    ssize_t count = readlink(link, to, PATH_BYTES - 1);
    if (count < 0) count = 0;
    snprintf(to + count, PATH_BYTES - count, "/%s", text);
}

static int is_below(const char *path) {
    size_t count = strlen(folder);
    return strncmp(path, folder, count) == 0 && (path[count] == '/' || path[count] == 0);
}

static int ours(uint64_t fd) { return (int)fd >= 0 && (int)fd < FDS && is_ours[(int)fd]; }

static int64_t position_of(pid_t thread, int fd) {
    char name[64], text[128] = "";
    snprintf(name, sizeof name, "/proc/%d/fdinfo/%d", thread, fd);
    int file = open(name, O_RDONLY | O_CLOEXEC);
    if (file < 0 || read(file, text, sizeof text - 1) < 0) die("reading a position");
    close(file);
    return strtoll(text + strlen("pos:"), NULL, 10);
}

static void room_for(size_t count) {
    if (count > bytes_room && !(bytes = realloc(bytes, bytes_room = count))) die("memory");
}

static void gather(pid_t thread, uint64_t vector, size_t parts, size_t count) {
    room_for(count);
    for (size_t part = 0, done = 0; part < parts && done < count; part++) {
        struct iovec one;
        peek(thread, vector + part * sizeof one, &one, sizeof one);
        size_t now = one.iov_len < count - done ? one.iov_len : count - done;
        peek(thread, (uint64_t)one.iov_base, bytes + done, now);
        done += now;
    }
}

/* A call begins. Answers whether its end is to be looked at. */
static int begins(struct call *it) {
    uint64_t *a = it->args;
    pid_t t = it->thread;
    it->path[0] = it->other_path[0] = 0;
    switch (it->nr) {
#ifdef SYS_open
    case SYS_open: case SYS_creat: case SYS_unlink: case SYS_mkdir: case SYS_rmdir:
        resolve(t, AT_FDCWD, a[0], it->path);
        return is_below(it->path);
    case SYS_rename: case SYS_link: case SYS_symlink:
        resolve(t, AT_FDCWD, a[0], it->path);
        resolve(t, AT_FDCWD, a[1], it->other_path);
        return is_below(it->path) || is_below(it->other_path);
    case SYS_dup2:
#endif
    case SYS_dup: case SYS_dup3:
        return ours(a[0]);
    case SYS_fcntl:
        return ours(a[0]) && (a[1] == F_DUPFD || a[1] == F_DUPFD_CLOEXEC);
    case SYS_openat: case SYS_openat2: case SYS_unlinkat: case SYS_mkdirat:
        resolve(t, a[0], a[1], it->path);
        return is_below(it->path);
#ifdef SYS_renameat
    case SYS_renameat:
#endif
    case SYS_renameat2: case SYS_linkat:
        resolve(t, a[0], a[1], it->path);
        resolve(t, a[2], a[3], it->other_path);
        return is_below(it->path) || is_below(it->other_path);
    case SYS_symlinkat:
        resolve(t, a[1], a[2], it->path);
        return is_below(it->path);
    case SYS_truncate:
        resolve(t, AT_FDCWD, a[0], it->path);
        return is_below(it->path);
    case SYS_close:
        if (ours(a[0])) {
            note(CLOSE, a[0], 0, "", "", 0);
            is_ours[a[0]] = 0;
        }
        return 0;
    case SYS_fsync: case SYS_fdatasync:
        if (ours(a[0])) note(SYNC_BEGINS, a[0], t, "", "", 0);
        return ours(a[0]);
    case SYS_mmap:
        return ours(a[4]) && (a[2] & PROT_WRITE) && (a[3] & MAP_TYPE) != MAP_PRIVATE && !(a[3] & MAP_ANONYMOUS);
    case SYS_copy_file_range: case SYS_splice:
        return ours(a[2]);
    case SYS_ioctl: /* one that clones or maps blocks of files */
        return ours(a[0]) && ((a[1] >> 8) & 0xff) == 0x94;
    case SYS_close_range: case SYS_io_uring_setup:
        return 1;
    default: /* write, pwrite64, writev, pwritev, pwritev2, fallocate, ftruncate, sendfile */
        return ours(a[0]);
    }
}

static void opened(struct call *it, int64_t fd, int64_t flags) {
    if (fd >= FDS) die("too many descriptors");
    is_ours[fd] = 1;
    note(OPEN, fd, flags, it->path, "", 0);
}

static void wrote(struct call *it, int64_t count, int is_vector, int64_t position) {
    uint64_t *a = it->args;
    if (is_vector) gather(it->thread, a[1], a[2], count);
    else {
        room_for(count);
        peek(it->thread, a[1], bytes, count);
    }
    if (position < 0) position = position_of(it->thread, a[0]) - count;
    note(WRITE, a[0], position, "", "", count);
}

/* A call ended, and its thread does not go on yet. */
static void ended(struct call *it, int64_t result) {
    uint64_t *a = it->args;
    if (it->nr == SYS_fsync || it->nr == SYS_fdatasync) {
        /* One that failed made nothing durable, and is not told to have ended. */
        if (result == 0) note(SYNC_ENDS, a[0], it->thread, "", "", 0);
        return;
    }
    if (result < 0) return;
    switch (it->nr) {
#ifdef SYS_open
    case SYS_open: opened(it, result, a[1]); break;
    case SYS_creat: opened(it, result, O_CREAT | O_TRUNC | O_WRONLY); break;
    case SYS_rename: note(RENAME, 0, 0, it->path, it->other_path, 0); break;
    case SYS_unlink: note(UNLINK, 0, 0, it->path, "", 0); break;
    case SYS_mkdir: note(MAKE_FOLDER, 0, 0, it->path, "", 0); break;
    case SYS_rmdir: note(REMOVE_FOLDER, 0, 0, it->path, "", 0); break;
    case SYS_dup2:
#endif
    case SYS_dup: case SYS_dup3: case SYS_fcntl:
        if (result >= FDS) die("too many descriptors");
        is_ours[result] = 1;
        note(COPY, a[0], result, "", "", 0);
        break;
    case SYS_openat: opened(it, result, a[2]); break;
#ifdef SYS_renameat
    case SYS_renameat: note(RENAME, 0, 0, it->path, it->other_path, 0); break;
#endif
    case SYS_renameat2: note(a[4] ? UNKNOWN : RENAME, 0, it->nr, it->path, it->other_path, 0); break;
    case SYS_unlinkat: note(a[2] & AT_REMOVEDIR ? REMOVE_FOLDER : UNLINK, 0, 0, it->path, "", 0); break;
    case SYS_mkdirat: note(MAKE_FOLDER, 0, 0, it->path, "", 0); break;
    case SYS_write: wrote(it, result, 0, -1); break;
    case SYS_pwrite64: wrote(it, result, 0, a[3]); break;
    case SYS_writev: wrote(it, result, 1, -1); break;
    case SYS_pwritev: case SYS_pwritev2: wrote(it, result, 1, a[3]); break;
    case SYS_ftruncate: note(CUT, a[0], a[1], "", "", 0); break;
    default: note(UNKNOWN, a[0], it->nr, it->path, it->other_path, 0); break;
    }
}

static struct call *call_of(pid_t thread) {
    struct call *free_one = NULL;
    for (int at = 0; at < THREADS; at++) {
        if (calls[at].thread == thread) return &calls[at];
        if (!calls[at].thread && !free_one) free_one = &calls[at];
    }
    if (!free_one) die("too many threads");
    free_one->thread = thread;
    return free_one;
}

/* Lets the kernel stop at the watched calls only. */
static void watch(void) {
    struct sock_filter filter[WATCHED_COUNT + 3];
    int at = 0;
    filter[at++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
    for (int call = 0; call < WATCHED_COUNT; call++) {
        filter[at++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, WATCHED[call], WATCHED_COUNT - call, 0);
    }
    filter[at++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    filter[at++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE);
    struct sock_fprog program = {at, filter};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)) die("giving up privileges");
    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program)) die("watching system calls");
}

/* Looks at why a thread stopped, and lets it go on. */
static void go_on(pid_t thread, int status) {
    int signal = WSTOPSIG(status), event = status >> 16;
    struct __ptrace_syscall_info info = {0};
    if (event == PTRACE_EVENT_SECCOMP) {
        if (is_ending) return;
        struct call *it = call_of(thread);
        if (ptrace(PTRACE_GET_SYSCALL_INFO, thread, sizeof info, &info) < 0) die("asking for a call");
        it->nr = info.seccomp.nr;
        memcpy(it->args, info.seccomp.args, sizeof it->args);
        int is_watched = begins(it);
        begun += is_watched;
        if (is_ending && !begun) kill(child, SIGKILL);
        ptrace(is_watched ? PTRACE_SYSCALL : PTRACE_CONT, thread, 0, 0);
    } else if (signal == (SIGTRAP | 0x80)) {
        if (ptrace(PTRACE_GET_SYSCALL_INFO, thread, sizeof info, &info) < 0) die("asking for a result");
        if (info.op == PTRACE_SYSCALL_INFO_EXIT) {
            ended(call_of(thread), info.exit.rval);
            begun--;
        }
        if (is_ending && !begun) kill(child, SIGKILL);
        if (!is_ending) ptrace(PTRACE_CONT, thread, 0, 0);
    } else {
        ptrace(PTRACE_CONT, thread, 0, event ? 0 : signal);
    }
}

int main(int count, char **words) {
    int ready[2];
    if (count < 7 || pipe2(ready, O_CLOEXEC)) die("record LOG FOLDER ENTRIES WORD MORE PROGRAM [ARGUMENT...]");
    folder = words[2];
    out = open(words[1], O_CREAT | O_APPEND | O_WRONLY | O_CLOEXEC, 0600);
    if (out < 0) die(words[1]);
    word = words[4];
    more_left = strtol(words[5], NULL, 10);
    note(STARTED, 0, 0, "", "", 0);
    entries_left = strtol(words[3], NULL, 10);
    child = fork();
    if (child == 0) {
        char go;
        if (read(ready[0], &go, 1) != 1) _exit(121);
        watch();
        execv(words[6], words + 6);
        die(words[6]);
    }
    long options = PTRACE_O_EXITKILL | PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK |
                   PTRACE_O_TRACESECCOMP | PTRACE_O_TRACESYSGOOD;
    if (child < 0 || ptrace(PTRACE_SEIZE, child, 0, options)) die("tracing");
    signal(SIGTERM, end);
    if (write(ready[1], "g", 1) != 1) die("starting");
    for (;;) {
        int status;
        pid_t thread = waitpid(-1, &status, __WALL);
        if (thread < 0 && errno == EINTR) continue;
        if (thread < 0) die("waiting");
        if (WIFSTOPPED(status)) {
            go_on(thread, status);
            continue;
        }
        call_of(thread)->thread = 0;
        if (thread != child) continue;
        if (WIFEXITED(status)) return WEXITSTATUS(status);
        signal(WTERMSIG(status), SIG_DFL);
        raise(WTERMSIG(status));
        return 122;
    }
}
