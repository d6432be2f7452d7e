/* A disk that takes 200 ms for each sync, put in front of the C library by LD_PRELOAD. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <time.h>

typedef int sync_function(int);

static int slowly(const char *name, int file)
{
    const struct timespec pause = {0, 200 * 1000 * 1000};
    nanosleep(&pause, NULL);
    return ((sync_function *)dlsym(RTLD_NEXT, name))(file);
}

int fsync(int file)
{
    return slowly("fsync", file);
}

int fdatasync(int file)
{
    return slowly("fdatasync", file);
}
